"""What the pages of docs/reference say: written from the product itself by `make reference`, never by hand."""
