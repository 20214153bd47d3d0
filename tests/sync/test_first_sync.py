from sync.scene import Scene


def test_first_sync_brings_everything_and_verifies_every_month(scene: Scene) -> None:
    run = scene.sync("start")

    assert ("done", "") == (run.outcome, run.why)
    assert [] == scene.differences()
    assert {"verified"} == set(scene.month_states().values())
    assert "2024-06" in scene.month_states()
