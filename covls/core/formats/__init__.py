"""What is known, written as others read it: values in, text out, one module a format."""
