import pytest

INFO = """[Sequence]
name=MOT17-02-FRCNN
imDir=img1
frameRate=30
seqLength=4
imWidth=160
imHeight=120
imExt=.jpg
"""
TRUTH = """1,3,21,11,40,40,1,1,1
2,3,31,11,40,40,1,1,0.75
3,3,41,11,40,40,1,1,0.5
1,2,101,61,20,20,1,3,1
4,2,111,61,20,20,1,3,1
1,9,1,1,50,50,0,8,1
"""


def sequence(ground, name: str, truth: str = TRUTH, info: str = INFO) -> None:
    folder = f"train/{name}"
    for number in range(1, 5):
        left = 20 + 10 * (number - 1)
        ground.picture(f"{folder}/img1/{number:06d}.jpg", [("red", (left, 10, left + 40, 50))])
    ground.text(f"{folder}/seqinfo.ini", info)
    ground.text(f"{folder}/gt/gt.txt", truth)


@pytest.fixture
def mot(ground):
    sequence(ground, "MOT17-02-FRCNN")
    sequence(ground, "MOT17-02-SDP")
    return ground


def test_tracks_are_in_pixels_from_zero(mot):
    (record,), rejections = mot.read("mot17")
    assert rejections.rejected == 0
    assert record.id == "mot17-MOT17-02"
    assert (record.kind, len(record.media), record.fps) == ("frames", 4, 30.0)
    car, person = record.tracks
    assert (car.id, car.label) == ("2", "car")
    assert list(car.boxes) == [0, 3]
    assert person.boxes[1] == (30, 10, 70, 50)
    assert person.visible == {0: 1, 1: 0.75, 2: 0.5}
    assert record.split == "train"


def test_the_box_lies_on_the_object(mot, pixels_of):
    (record,), _ = mot.read("mot17")
    x1, y1, x2, y2 = record.tracks[1].boxes[0].rounded()
    inside = pixels_of(record)[y1:y2, x1:x2]
    assert inside[..., 0].mean() > 200
    assert inside[..., 1].mean() < 60


@pytest.mark.parametrize(
    ("truth", "told"),
    [
        ("1,3,21,11,40,40,1,1\n", "gt.txt: line 1: came 8 values"),
        ("1,3,x,11,40,40,1,1,1\n", "gt.txt: line 1: left: came 'x'; a number is needed"),
        (TRUTH + "9,3,1,1,1,1,1,1,1\n", "line 7: frame: came 9; the sequence has 4 frames"),
        ("1,3,21,11,-4,40,1,1,1\n", "line 1: width: came -4"),
        ("1,3,21,11,40,40,1,99,1\n", "line 1: class: came 99; 1 to 13"),
    ],
)
def test_a_broken_sequence_is_named_and_the_other_kept(mot, truth, told):
    sequence(mot, "MOT17-04-FRCNN", truth)
    records, rejections = mot.read("mot17")
    assert [record.id for record in records] == ["mot17-MOT17-02"]
    assert told in rejections.first[0]


def test_a_missing_frame_and_a_broken_head_are_named(mot):
    sequence(mot, "MOT17-04-FRCNN", info=INFO.replace("seqLength=4", "seqLength=5"))
    sequence(mot, "MOT17-05-FRCNN", info="nothing")
    sequence(mot, "MOT17-09-FRCNN", info=INFO.replace("=160", "=wide"))
    records, rejections = mot.read("mot17")
    assert len(records) == 1
    assert "imDir: frame 5 is not at" in rejections.first[0]
    assert "cannot be read as a [Sequence]" in rejections.first[1]
    assert "imWidth: came 'wide'; a number is needed" in rejections.first[2]
