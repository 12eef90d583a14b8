// The three standard streams, which a program may have been started without.
#pragma once

namespace hawser::cli {

// Opens /dev/null in place of each standard stream that is closed. Otherwise the next file or socket would take its
// number, and be read as our input or written as our output. Reading the input and writing the output still fail
// (EBADF); words on standard error go nowhere. To be called before anything is opened.
void fill_closed_streams() noexcept;

}  // namespace hawser::cli
