"""Scoring with the LM Evaluation Harness: its tasks from config/benchmarks, its command line, its results."""
