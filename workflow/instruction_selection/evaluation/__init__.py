"""Scoring with the LM Evaluation Harness: tasks from config/benchmarks, its own command line, its results."""
