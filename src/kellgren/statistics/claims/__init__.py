"""Whether the numbers that a paper prints follow from one another.

A file of claims (`document`) names what is printed and where. Each check recomputes one number
from others, keeping all that rounding may have taken away (`rounding`), and says one of four words
(`verdict.Outcome`). Knows no paper: the cases are data.
"""

from kellgren.statistics.claims.audit import Paper, check_claims, read_papers
from kellgren.statistics.claims.folder import write_audit
from kellgren.statistics.claims.page import claims_page, describe_claims
from kellgren.statistics.claims.verdict import Outcome, Reading, Row, Verdict

__all__ = [
    "Outcome",
    "Paper",
    "Reading",
    "Row",
    "Verdict",
    "check_claims",
    "claims_page",
    "describe_claims",
    "read_papers",
    "write_audit",
]
