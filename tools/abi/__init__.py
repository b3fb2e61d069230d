"""What tools/abi.py is made of: header.py reads the public header (tokens.py, doc.py), compare.py holds the rules of change,
export.py writes what is generated from the result."""
