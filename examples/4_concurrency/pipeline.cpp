// One program's output as another's input: by hand, and all at once.
#include <cstdio>

#include <hawser/fiber/run.h>
#include <hawser/process/run_pipeline.h>

using namespace hawser;

int main() {
  return run([] {
    // yes writes for ever; when head has gone, SIGPIPE ends it, because nobody else holds the pipe.
    Popen first({"yes", "on and on"}, {.stdout_ = Pipe::open});
    Popen second({"head", "-n", "2"}, {.stdin_ = Pipe::to(first.output()), .stdout_ = Pipe::open});
    std::printf("%s", second.communicate().out.str().c_str());
    std::printf("head returned %d, yes %d\n", second.wait(), first.wait());

    const CompletedPipeline done = run_pipeline({{"sort"}, {"uniq", "-c"}, {"sort", "-rn"}, {"head", "-n", "1"}},
                                                {.capture = true, .input = Bytes("b\na\nb\nc\nb\n"), .check = true});
    std::printf("the most frequent:%s", done.out.str().c_str());
    return 0;
  });
}
