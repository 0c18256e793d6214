"Fixtures that several test files share."
import pytest, torch


@pytest.fixture(scope="module")
def one_thread():
    "Tiny products are fastest on one."
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
