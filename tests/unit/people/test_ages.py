"""Ages of photos: what the owner wrote, what the camera wrote, and what cannot be."""

import json
import unicodedata
from datetime import date

import pytest
from PIL import Image

from likeness.errors import BadInput
from likeness.people.ages import read_ages

BIRTH = date(1987, 6, 1)


def photo(folder, name, taken=None, scanned=None):
    exif = Image.Exif()
    if taken is not None:
        exif.get_ifd(0x8769)[0x9003] = taken
    if scanned is not None:
        exif[0x0132] = scanned
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 40)).save(folder / name, exif=exif)
    return name


def only(folder, name, birth=BIRTH):
    return read_ages(folder, [name], birth).iloc[0]


def test_an_age_in_the_metadata_counts_before_its_date_and_that_before_exif(tmp_path):
    taken = "2017:06:01 12:00:00"
    files = [photo(tmp_path, f"{name}.jpg", taken) for name in "abc"]
    (tmp_path / "metadata.csv").write_text(
        "file,age,date\na.jpg,3.5,1997-06-01\nb.jpg,,1997-06-01\n"
    )
    table = read_ages(tmp_path, files, BIRTH)
    assert table["file"].tolist() == files
    assert table["age"].tolist() == pytest.approx([3.5, 10, 30], abs=0.003)
    assert table["age_from"].tolist() == ["metadata age", "metadata date", "exif date"]
    assert table["reason"].isna().all()


def test_exif_gives_the_date_of_the_photo_and_never_that_of_its_scan(tmp_path):
    photo(tmp_path, "a.jpg", "1988:05:31 23:59:59", scanned="2020:01:01 00:00:00")
    photo(tmp_path, "b.jpg", scanned="2020:01:01 00:00:00")
    assert only(tmp_path, "a.jpg")["age"] == pytest.approx(365 / 365.2425)
    assert (
        only(tmp_path, "b.jpg")["reason"] == "neither the metadata nor EXIF give an age or a date"
    )


def test_a_photo_from_before_birth_and_a_clock_never_set_are_reasons(tmp_path):
    photo(tmp_path, "a.jpg", "1987:05:31 10:00:00")
    photo(tmp_path, "b.jpg", "0000:00:00 00:00:00")
    photo(tmp_path, "c.jpg", "1990:06:01 00:00:00")
    a, b = only(tmp_path, "a.jpg"), only(tmp_path, "b.jpg")
    assert a["reason"].startswith("taken before the birth date 1987-06-01")
    assert b["reason"] == "exif date '0000:00:00 00:00:00' is no date such as 1987-05-31"
    assert "only with a birth date" in only(tmp_path, "c.jpg", birth=None)["reason"]
    assert only(tmp_path, "c.jpg")["age"] == pytest.approx(3, abs=0.003)


def test_a_year_or_a_month_alone_means_its_middle_after_birth(tmp_path):
    dates = {
        "a": "1990",
        "b": "1990-02",
        "c": "1987",
        "d": "1986",
        "e": "1990-13",
        "f": "1990-02-30",
    }
    lines = "".join(f"{name}.jpg,{when}\n" for name, when in dates.items())
    (tmp_path / "metadata.csv").write_text("file,date\n" + lines)
    table = read_ages(tmp_path, [f"{name}.jpg" for name in dates], BIRTH).set_index("file")
    middle = {"a.jpg": date(1990, 7, 2), "b.jpg": date(1990, 2, 14), "c.jpg": date(1987, 9, 15)}
    for file, day in middle.items():
        assert table.loc[file, "age"] == pytest.approx((day - BIRTH).days / 365.2425, abs=0.003)
    assert table["reason"]["d.jpg"].startswith("taken before the birth date")
    assert table["reason"][["e.jpg", "f.jpg"]].str.contains("is no date").all()


@pytest.mark.parametrize("age", ["ten", "-1", "121", "nan", "inf", "1,2,3"])
def test_what_is_no_age_is_a_reason_that_repeats_it(tmp_path, age):
    (tmp_path / "metadata.jsonl").write_text(json.dumps({"file": "a.jpg", "age": age}))
    row = only(tmp_path, "a.jpg")
    assert row["reason"] == f"age '{age}' is no number of years from 0 to 120"


def test_the_same_table_as_jsonl_and_as_a_european_csv_gives_the_same_ages(tmp_path):
    name = unicodedata.normalize("NFD", "2003/été.jpg")
    for kind in ("a", "b", "c"):
        (tmp_path / kind).mkdir()
    (tmp_path / "a/metadata.csv").write_text('file,age\n"./2003/été.jpg", 12.5\n')
    (tmp_path / "b/metadata.csv").write_text("\ufefffile;age\r\n2003\\été.jpg;12,5\r\n")
    (tmp_path / "c/metadata.jsonl").write_text(
        '\n{"file": "2003/été.jpg", "age": 12.5, "date": null}\n'
    )
    for kind in ("a", "b", "c"):
        row = only(tmp_path / kind, name, None)
        assert (row["file"], row["age"], row["age_from"]) == (name, 12.5, "metadata age")


def test_a_file_named_twice_has_an_age_only_if_both_agree(tmp_path):
    (tmp_path / "metadata.csv").write_text("file,age\na.jpg,3\na.jpg,3\nb.jpg,3\nb.jpg,4\n")
    table = read_ages(tmp_path, ["a.jpg", "b.jpg"], None)
    assert table["age"][0] == 3
    assert table["reason"][1] == "the metadata say both 3 and 4"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"metadata.csv": "photo,age\na.jpg,3\n"}, "needs a column 'file'"),
        ({"metadata.csv": "file,year\na.jpg,3\n"}, "a column 'age' or 'date'"),
        ({"metadata.csv": "file,age\nother.jpg,3\n"}, r"no file named in .* such as a\.jpg"),
        ({"metadata.csv": ""}, "no readable UTF-8 csv"),
        ({"metadata.jsonl": '{"file": "a.jpg"'}, "line 1 of .* is no JSON"),
        ({"metadata.jsonl": '{"age": 3}'}, "line 1 of .* needs a 'file'"),
        ({"metadata.csv": "file,age\n", "metadata.jsonl": ""}, "keep one of them"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path, files, message):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(BadInput, match=message):
        read_ages(tmp_path, ["a.jpg"], None)


def test_files_that_are_no_pictures_or_not_there_have_no_age(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "b.jpg").write_bytes(b"\xff\xd8\xff\xe1\0\x10Exif\0\0broken")
    table = read_ages(tmp_path, ["a.jpg", "b.jpg", "gone.jpg"], BIRTH)
    assert table["age"].isna().all()
    assert table["reason"].notna().all()
