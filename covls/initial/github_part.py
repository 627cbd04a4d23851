"""GitHub Actions: tests, gates and a history; for pull requests a comment, from forks too.

What runs a pull request's code has no rights, and leaves its comment as an artifact; what posts it
has the right to comment, and neither checks out code nor runs any of the pull request's. On the
default branch what runs code has no rights either: jobs that run none of it keep the history, in a
branch of one commit, and publish its page.
"""

from textwrap import indent
from typing import Final

from covls.initial.facts import Facts
from covls.initial.plan import Draft

TESTS: Final = ".github/workflows/coverage.yml"
COMMENT: Final = ".github/workflows/coverage-comment.yml"

_TESTS: Final = """\
# Written by `covls init`. Tests under coverage.py, the gates of covls's settings, and a comment for
# the pull request. coverage-comment.yml posts it: what runs code of forks has no rights. On the
# default branch what was measured is recorded in a history.
name: Coverage

on:
  pull_request:
  push:
    branches: [{branch}]

permissions:
  contents: read

concurrency:
  group: ${{{{ github.workflow }}}}-${{{{ github.ref }}}}
  cancel-in-progress: ${{{{ github.event_name == 'pull_request' }}}}

jobs:
  coverage:
    runs-on: ubuntu-latest
    timeout-minutes: 30
{trust}    outputs:
      recorded: ${{{{ steps.record.outcome }}}}
    steps:
      - uses: actions/checkout@v7
        with:
          fetch-depth: 0  # The gates compare with where the branch began.
          persist-credentials: false
      - uses: actions/setup-python@v7
        with:
          {python}
      - name: Install
        run: |
{install}
      - name: History of runs before
        env:
          TOKEN: ${{{{ github.token }}}}
        run: |
          url="https://x-access-token:$TOKEN@${{GITHUB_SERVER_URL#https://}}/$GITHUB_REPOSITORY"
          there=$(git ls-remote "$url" refs/heads/covls-history)
          if [ -n "$there" ]; then
            git fetch --quiet "$url" refs/heads/covls-history
            mkdir -p .covls
            git show FETCH_HEAD:history.sqlite > .covls/history.sqlite
          fi
      - name: Tests
        id: tests
        run: {tests}
{combine}      - name: Report
        run: {launcher}covls report --format markdown >> "$GITHUB_STEP_SUMMARY"
      - name: Gates
        env:
          # On the default branch itself there is nothing to compare with.
          BASE: ${{{{ github.event.pull_request.base.sha || 'HEAD' }}}}
        run: {launcher}covls check --base "$BASE"
      - name: Comment
        if: ${{{{ !cancelled() && github.event_name == 'pull_request' }}}}
        env:
          BASE: ${{{{ github.event.pull_request.base.sha }}}}
        run: {launcher}covls comment --base "$BASE" --output covls-comment.md
      - uses: actions/upload-artifact@v7
        if: ${{{{ !cancelled() && github.event_name == 'pull_request' }}}}
        with:
          name: covls-comment
          path: covls-comment.md
          if-no-files-found: ignore
      - name: Record
        id: record
        if: >-
          ${{{{ !cancelled() && github.event_name == 'push' && steps.tests.outcome == 'success' }}}}
        run: |
          {launcher}covls history record
          {launcher}covls history html --output page/index.html
      - uses: actions/upload-artifact@v7
        if: ${{{{ !cancelled() && steps.record.outcome == 'success' }}}}
        with:
          name: covls-history
          path: |
            .covls/history.sqlite
            page/index.html
          include-hidden-files: true
      - uses: actions/upload-pages-artifact@v5
        if: >-
          ${{{{ !cancelled() && steps.record.outcome == 'success' && vars.COVLS_PAGE == 'true' }}}}
        with:
          path: page
{share}{codecov}
  # The history stays in a branch of its own, which has one commit, always the newest.
  history:
    if: ${{{{ !cancelled() && needs.coverage.outputs.recorded == 'success' }}}}
    needs: coverage
    runs-on: ubuntu-latest
    timeout-minutes: 5
    permissions:
      contents: write
    steps:
      - uses: actions/download-artifact@v8
        with:
          name: covls-history
          path: found
      - name: Keep
        env:
          TOKEN: ${{{{ github.token }}}}
        run: |
          url="https://x-access-token:$TOKEN@${{GITHUB_SERVER_URL#https://}}/$GITHUB_REPOSITORY"
          git init --quiet --initial-branch covls-history kept
          mv found/.covls/history.sqlite kept/
          cd kept
          git add history.sqlite
          git config user.name "github-actions[bot]"
          git config user.email "41898282+github-actions[bot]@users.noreply.github.com"
          git commit --quiet --message "Keep what runs measured"
          git push --quiet --force "$url" covls-history

  # To publish the history's page, which everybody may be able to read then: set the repository's
  # variable COVLS_PAGE to true, and the source of its Pages to GitHub Actions.
  page:
    if: >-
      ${{{{ !cancelled() && needs.coverage.outputs.recorded == 'success' &&
      vars.COVLS_PAGE == 'true' }}}}
    needs: coverage
    runs-on: ubuntu-latest
    timeout-minutes: 5
    permissions:
      pages: write
      id-token: write
    environment:
      name: github-pages
      url: ${{{{ steps.page.outputs.page_url }}}}
    steps:
      - id: page
        uses: actions/deploy-pages@v5
"""

_TRUST: Final = """\
    env:
      COVLS_TRUSTED: "1"  # Figures take coverage.py's plugins, and the tests run here anyway.
"""

_SHARE: Final = """\
      - name: Share what was measured
        if: >-
          ${{{{ !cancelled() && github.event_name == 'push' && steps.tests.outcome == 'success' }}}}
        env:
          # What `share.url` asks for, as the repository's secrets; what it does not may be missing.
          COVLS_SHARE_HEADER: ${{{{ secrets.COVLS_SHARE_HEADER }}}}
          AWS_ACCESS_KEY_ID: ${{{{ secrets.AWS_ACCESS_KEY_ID }}}}
          AWS_SECRET_ACCESS_KEY: ${{{{ secrets.AWS_SECRET_ACCESS_KEY }}}}
          AZURE_STORAGE_CONNECTION_STRING: ${{{{ secrets.AZURE_STORAGE_CONNECTION_STRING }}}}
        run: {launcher}covls push --trusted
"""

_CODECOV: Final = """\
      - name: XML for Codecov
        if: ${{{{ !cancelled() }}}}
        run: {launcher}coverage xml
      - uses: codecov/codecov-action@v6
        if: ${{{{ !cancelled() }}}}
        with:
          files: coverage.xml
          token: ${{{{ secrets.CODECOV_TOKEN }}}}
"""

_COMMENT: Final = """\
# Written by `covls init`. Posts the comment that coverage.yml has prepared. It has the right to
# comment, and so it checks out nothing and runs nothing of the pull request.
name: Coverage comment

on:
  workflow_run:
    workflows: [Coverage]
    types: [completed]

permissions: {}

jobs:
  comment:
    if: ${{ github.event.workflow_run.event == 'pull_request' }}
    runs-on: ubuntu-latest
    timeout-minutes: 5
    permissions:
      actions: read
      pull-requests: write
    steps:
      - uses: actions/download-artifact@v8
        id: artifact
        continue-on-error: true  # A run that was cancelled has left none.
        with:
          name: covls-comment
          run-id: ${{ github.event.workflow_run.id }}
          github-token: ${{ github.token }}
      - uses: actions/setup-python@v7
        if: ${{ steps.artifact.outcome == 'success' }}
        with:
          python-version: "3.13"
      - name: Post
        if: ${{ steps.artifact.outcome == 'success' }}
        env:
          GITHUB_TOKEN: ${{ github.token }}
        run: |
          python -m pip install covls
          covls comment --post covls-comment.md
"""


def propose_github(facts: Facts, draft: Draft) -> None:
    """Have GitHub run the tests and gates, and comment pull requests."""
    draft.put_new(TESTS, workflow(facts))
    draft.put_new(COMMENT, _COMMENT)


def propose_codecov(facts: Facts, draft: Draft) -> None:
    """Have the workflow send coverage to Codecov, too."""
    there = draft.text(TESTS)
    with_codecov = workflow(facts, codecov=True)
    if there in (None, workflow(facts)):
        draft.put(TESTS, with_codecov)
    elif there != with_codecov:
        draft.put_new(TESTS, with_codecov)


def workflow(facts: Facts, *, codecov: bool = False) -> str:
    """The workflow that runs the project's tests."""
    named = "python-version" if facts.python[0].isdigit() else "python-version-file"
    version = f'"{facts.python}"' if facts.python[0].isdigit() else facts.python
    combine = f"      - run: {facts.launcher}coverage combine\n"
    return _TESTS.format(
        branch=facts.branch,
        python=f"{named}: {version}",
        install=indent("\n".join(facts.install), " " * 10),
        tests=facts.test_words,
        combine=combine if facts.configuration.parallel else "",
        launcher=facts.launcher,
        trust=_TRUST if facts.configuration.plugins else "",
        share=_SHARE.format(launcher=facts.launcher) if facts.shares else "",
        codecov=_CODECOV.format(launcher=facts.launcher) if codecov else "",
    )
