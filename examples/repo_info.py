"""Prints how popular a GitHub repository is. Needs httpx: pip install httpx

    python repo_info.py                                                   # now, here
    forebay deploy repo_info.py:get_repo_info --name first --pool default --watch
"""

import httpx
from forebay import flow


@flow(log_prints=True, retries=2, retry_delay_seconds=10)
def get_repo_info(repo_name: str = "grpc/grpc", api: str = "https://api.github.com"):
    """Counts of stars and forks.

    Args:
        repo_name: owner/repository
        api: base URL of the GitHub API
    """
    response = httpx.get(f"{api}/repos/{repo_name}", timeout=30)
    response.raise_for_status()
    repo = response.json()
    print(f"{repo_name}:")
    print(f"  stars ★ {repo['stargazers_count']}")
    print(f"  forks ⑂ {repo['forks_count']}")


if __name__ == "__main__":
    get_repo_info()
