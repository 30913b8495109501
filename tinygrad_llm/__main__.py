"""`python -m tinygrad_llm` is `tgl`."""

from tinygrad_llm.cli.main import main

raise SystemExit(main())
