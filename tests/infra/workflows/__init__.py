"""The pipelines of GitHub and Azure DevOps, as far as they can be tried without either."""
