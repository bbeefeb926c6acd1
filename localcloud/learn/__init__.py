"""A local MCP server with a few pages on Data Factory troubleshooting, in place of Microsoft Learn's.

The pages are short texts of this project, not Microsoft's; titles and addresses are only shaped like theirs.
`python -m localcloud.learn`
"""
