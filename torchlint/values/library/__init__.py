"""What the calls of libraries yield and do, one module per library or kind of receiver."""
