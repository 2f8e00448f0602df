"""What stands here are scripts, which make targets run; pytest collects none of them."""

collect_ignore_glob = ["*.py"]
