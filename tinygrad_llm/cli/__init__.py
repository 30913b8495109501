"""The command line `tgl`."""
