from datetime import UTC, datetime, timedelta

import pytest

from kellgren import clock, errors


def test_the_time_is_now_and_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    before = datetime.now(UTC)
    found = clock.now()
    assert before <= found <= datetime.now(UTC)
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_it_stands_still_wherever_source_date_epoch_says(
    monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert clock.now() == clock.now() == datetime(1970, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "1.5", "2026-01-01", "9" * 12, "9" * 30])
def test_what_is_no_time_is_an_error_with_a_name(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", text)
    with pytest.raises(errors.EnvironmentInvalid, match=f"^SOURCE_DATE_EPOCH is '{text}'"):
        clock.now()
