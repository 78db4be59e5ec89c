from instruction_selection import catalogue

print(catalogue.text("config"), end="")
