"""GitLab CI: tests and gates, coverage in the merge request, a history and its page."""

from textwrap import indent
from typing import Final

from covls.initial.facts import PYTHON, Facts
from covls.initial.plan import Draft
from covls.initial.text_file import CannotEditError
from covls.initial.yaml_text import parsed, with_key

FILE: Final = ".gitlab-ci.yml"

_JOB: Final = """\
# Tests under coverage.py, and the gates of covls's settings.
coverage:
  image: python:{python}
{stage}  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
      variables:
        HISTORY: pull-push
  variables:
    HISTORY: pull  # The history of the default branch is read here, and kept by it alone.
    GIT_DEPTH: "0"  # The gates compare with where the branch began.
    BASE: $CI_MERGE_REQUEST_DIFF_BASE_SHA
{trust}  cache:
    key: covls-history
    paths: [.covls/]
    policy: $HISTORY
    when: always
  before_script:
{install}
  script:
    - {tests}
{combine}    - {launcher}coverage xml
    - {launcher}covls report
    - |
      if [ "$HISTORY" = pull-push ]; then
        {launcher}covls history record
        {launcher}covls history html --output covls-page/index.html
      fi
    - {launcher}covls check --base "${{BASE:-HEAD}}"
  coverage: '/^TOTAL.+?(\\d+(?:\\.\\d+)?)%/'
  artifacts:
    when: always
    paths: [covls-page/]
    reports:
      coverage_report:
        coverage_format: cobertura
        path: coverage.xml
"""

_PAGE: Final = """\
# The history's page, for all who may see the project's GitLab Pages: set COVLS_PAGE to true.
pages:
{stage}  needs: [coverage]
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $COVLS_PAGE == "true"
  variables:
    GIT_STRATEGY: none
  script:
    - rm -rf public
    - mv covls-page public
  artifacts:
    paths: [public]
"""

_TRUST: Final = """\
    COVLS_TRUSTED: "1"  # Figures take coverage.py's plugins, and the tests run here anyway.
"""


def propose_gitlab(facts: Facts, draft: Draft) -> None:
    """Have GitLab run the tests and gates, and show coverage in merge requests."""
    text = draft.text(FILE) or ""
    try:
        values = parsed(text) or {}
        if not isinstance(values, dict):
            raise CannotEditError("it holds no jobs", _job(facts, ""))
        if "coverage" in values:
            if text.strip() != _job(facts, "").strip() and "covls check" not in text:
                draft.kept.append(f"{FILE}: the job `coverage` stays as it is.")
            return
        stages = [str(stage) for stage in values.get("stages") or ()]
        fitting = [stage for stage in stages if "test" in stage] or stages[-1:]
        text = with_key(text, _job(facts, fitting[0] if fitting else ""))
        if "pages" not in values:
            text = with_key(text, _PAGE.format(stage=_stage(stages[-1] if stages else "deploy")))
        draft.put(FILE, text)
    except CannotEditError as error:
        raise CannotEditError(f"{FILE} stays as it is, {error}", error.paste) from error


def _stage(name: str) -> str:
    return f"  stage: {name}\n" if name else ""


def _job(facts: Facts, stage: str) -> str:
    return _JOB.format(
        python=facts.python if facts.python[0].isdigit() else PYTHON,
        stage=_stage(stage),
        install=indent("\n".join(f"- {line}" for line in facts.install), "    "),
        tests=facts.test_words,
        combine=f"    - {facts.launcher}coverage combine\n" if facts.configuration.parallel else "",
        launcher=facts.launcher,
        trust=_TRUST if facts.configuration.plugins else "",
    )
