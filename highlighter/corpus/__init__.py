"""Where articles come from and which of them can be used."""
