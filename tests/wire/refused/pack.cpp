// Each case must not compile, and the message must say why: see tests/CMakeLists.txt.
#include <hawser/wire/pack.h>

int main() {
#if CASE == 0
  return static_cast<int>(hawser::pack<"<i3sf">(1, "abc", 2.7F).size());  // the one that does compile
#elif CASE == 1
  (void)hawser::pack<"<iz">(1, 2);
#elif CASE == 2
  (void)hawser::unpack<"<i3">("1234");
#elif CASE == 3
  (void)hawser::pack<"<ii">(1);
#elif CASE == 4
  (void)hawser::pack<"<i">(1.5);
#elif CASE == 5
  (void)hawser::pack<"<4s">(7);
#elif CASE == 6
  (void)hawser::unpack<"<n">("12345678");
#elif CASE == 7
  (void)hawser::iter_unpack<"0i">("");
#elif CASE == 8
  (void)hawser::pack<"<b">('a');
#elif CASE == 9
  (void)hawser::pack<"<f">('a');
#elif CASE == 10
  struct Neither {};
  (void)hawser::pack<"?">(Neither());
#endif
}
