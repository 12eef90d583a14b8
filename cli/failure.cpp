#include "cli/failure.h"

#include <new>

#include <hawser/base/errors.h>
#include <hawser/tls/tls_error.h>
#include <hawser/wire/frame.h>
#include <hawser/wire/json.h>

#include "hub/options.h"
#include "hub/service/error.h"

namespace hawser::cli {

Failure refusal(std::string code, const std::string& message) {
  const Exit exit = code == "unauthenticated" ? Exit::not_signed_in : Exit::failed;
  return {exit, std::move(code), message};
}

Failure to_failure(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Failure& failure) {
    return failure;
  } catch (const hub::OptionsError& wrong) {
    return usage_error(wrong.what());
  } catch (const TlsUntrusted& stranger) {
    return untrusted(stranger.what());
  } catch (const TlsError& broken) {
    return unreachable(broken.what());
  } catch (const FrameError& garbled) {
    return unreachable(std::string("the hub does not speak hawser/1: ") + garbled.what());
  } catch (const JsonError& garbled) {
    return unreachable(std::string("the hub's answer makes no sense: ") + garbled.what());
  } catch (const DeadlineExceeded& late) {
    return {Exit::unreachable, "timeout", late.what()};
  } catch (const TimedOut& late) {
    return {Exit::unreachable, "timeout", late.what()};
  } catch (const Cancelled&) {
    return {Exit::interrupted, "interrupted", "interrupted"};
  } catch (const hub::ServiceError& refused) {
    return {Exit::failed, std::string(hub::to_string(refused.code())), refused.what()};
  } catch (const std::bad_alloc&) {
    return local_failure("out of memory");
  } catch (const std::exception& other) {
    return local_failure(other.what());
  }
}

}  // namespace hawser::cli
