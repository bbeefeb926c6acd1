"""How the app gets to Azure."""
