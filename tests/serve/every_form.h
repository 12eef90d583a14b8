// Servers of every form, each served in a fiber and on a plain thread.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include <hawser/fiber/run.h>
#include <hawser/serve/server.h>

namespace hawser::testing {

struct ServedForm {
  Form form;
  bool in_fiber;
};

class EveryForm : public ::testing::TestWithParam<ServedForm> {
 protected:
  static Form form() { return GetParam().form; }
  static bool forking() { return form() == Form::forking; }
  static bool at_once() { return form() != Form::one_at_a_time; }
  // The test's body, where the server is to be served.
  static void in_context(const std::function<void()>& body) {
    if (!GetParam().in_fiber) return body();
    run([&] { body(); });
  }
};

inline std::string form_name(const ::testing::TestParamInfo<ServedForm>& info) {
  static const char* const forms[] = {"one_at_a_time", "threading", "forking", "fiber"};
  return std::string(forms[static_cast<int>(info.param.form)]) + (info.param.in_fiber ? "_in_fiber" : "_on_thread");
}

}  // namespace hawser::testing

#define HAWSER_IN_EVERY_FORM(suite)                                                                     \
  INSTANTIATE_TEST_SUITE_P(all, suite,                                                                  \
                           ::testing::Values(::hawser::testing::ServedForm{Form::one_at_a_time, true},  \
                                             ::hawser::testing::ServedForm{Form::one_at_a_time, false}, \
                                             ::hawser::testing::ServedForm{Form::threading, true},      \
                                             ::hawser::testing::ServedForm{Form::threading, false},     \
                                             ::hawser::testing::ServedForm{Form::forking, true},        \
                                             ::hawser::testing::ServedForm{Form::forking, false},       \
                                             ::hawser::testing::ServedForm{Form::fiber, true}),         \
                           ::hawser::testing::form_name)
