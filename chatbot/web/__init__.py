"""The web page, the HTTP interface and the document viewer."""
