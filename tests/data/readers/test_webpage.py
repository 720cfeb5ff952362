def page(number: int, **more):
    return {
        "id": number, "url": "https://a.example/", "image": f"shots/{number}.png", "width": 160,
        "height": 120, "boxes": [{"text": "Sign in", "bbox": [20, 10, 60, 50]}], **more,
    }  # fmt: skip


def test_pages_come_with_their_texts(ground):
    ground.picture("shots/1.png")
    ground.lines(
        "train.jsonl",
        [
            page(1),
            page(1, id=2, boxes=[{"text": "x", "bbox": [60, 10, 20, 50]}]),
            page(1, id=3, boxes=[{"bbox": [1, 2, 3, 4]}]),
            page(1, id=4, boxes=[{"text": "off", "bbox": [500, 10, 600, 50]}]),
        ],
    )
    records, rejections = ground.read("webpage")
    assert [record.id for record in records] == ["webpage-1", "webpage-4"]
    assert records[0].texts[0].text == "Sign in"
    assert records[0].texts[0].box == (20, 10, 60, 50)
    assert records[1].texts == ()
    assert "line 2: boxes[0].bbox: came a box of -40 by 40 px" in rejections.first[0]
    assert "line 3: boxes[0].text: is missing" in rejections.first[1]
