from train.data.sampler import epoch_order, sample_at


def test_every_epoch_visits_each_sample_once_in_its_own_order() -> None:
    """A permutation per (seed, stage, epoch)."""
    first, second = (epoch_order(0, "base", epoch, 50).tolist() for epoch in (0, 1))

    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert epoch_order(0, "adapter", 0, 50).tolist() != first
    assert epoch_order(1, "base", 0, 50).tolist() != first


def test_a_place_of_the_run_lies_in_an_epoch() -> None:
    """Places run on through the epochs, whatever was asked before."""
    places = [sample_at(0, "base", position, 7) for position in (20, 3, 7)]

    assert places == [
        (2, epoch_order(0, "base", 2, 7)[6]),
        (0, epoch_order(0, "base", 0, 7)[3]),
        (1, epoch_order(0, "base", 1, 7)[0]),
    ]


def test_the_order_is_that_of_every_run_before() -> None:
    """Golden: a run that stopped months ago resumes with the samples that it would have seen."""
    assert epoch_order(0, "base", 0, 12).tolist() == [3, 5, 9, 1, 7, 6, 2, 8, 10, 11, 0, 4]
