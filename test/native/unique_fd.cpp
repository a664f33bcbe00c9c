// UniqueFd and SharedFd: closed once, by the last who needs it.

#include <fcntl.h>

#include "check.h"
#include "sys/fd.h"

using namespace dfd;

namespace {

UniqueFd some_fd() { return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

void closes_when_it_goes() {
  int number;
  {
    UniqueFd fd = some_fd();
    number = fd.get();
    CHECK(is_open(number));
  }
  CHECK(!is_open(number));
}

void moves_and_never_closes_twice() {
  UniqueFd first = some_fd(), second = some_fd();
  int kept = first.get(), replaced = second.get();
  second = std::move(first);
  CHECK(second.get() == kept && is_open(kept) && !is_open(replaced));

  UniqueFd reuser = some_fd();  // takes the number that was freed; a second close would hit it
  CHECK(reuser.get() == replaced);
  CHECK(!first && first.close().ok());
  CHECK(is_open(replaced));
}

void survives_a_move_to_itself() {
  UniqueFd fd = some_fd();
  UniqueFd& same = fd;
  fd = std::move(same);
  CHECK(is_open(fd.get()));
}

void reports_what_close_says() {
  UniqueFd never_opened(1'000'000);
  CHECK(never_opened.close().err() == EBADF);
  CHECK(!never_opened);
}

void stays_open_while_an_operation_shares_it() {
  SharedFd handle = share(some_fd());
  SharedFd operation = handle;
  int number = handle->get();
  handle.reset();
  CHECK(is_open(number));
  operation.reset();
  CHECK(!is_open(number));
}

}  // namespace

int main() {
  closes_when_it_goes();
  moves_and_never_closes_twice();
  survives_a_move_to_itself();
  reports_what_close_says();
  stays_open_while_an_operation_shares_it();
}
