"""What is looked for in the history and in the libraries, besides what the tests check: `sh infra/security/scan.sh`."""
