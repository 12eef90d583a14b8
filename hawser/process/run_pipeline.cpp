#include <hawser/process/run_pipeline.h>

#include <csignal>
#include <string>
#include <tuple>
#include <utility>

#include <hawser/process/command_parts.h>
#include <hawser/process/popen_state.h>

namespace hawser {
namespace {

std::string failure(const CompletedPipeline& completed) {
  std::string commands;
  std::string ends;
  for (std::size_t i = 0; i < completed.commands.size(); ++i) {
    commands += (i ? " | " : "") + completed.commands[i].text();
    ends += (i ? ", " : "") + detail::how_it_ended(completed.return_codes[i]);
  }
  return commands + ": " + ends;
}

}  // namespace

bool CompletedPipeline::ok() const noexcept {
  for (const int code : return_codes) {
    const bool is_last = &code == &return_codes.back();
    if (code != 0 && (is_last || code != -SIGPIPE)) return false;
  }
  return true;
}

PipelineFailed::PipelineFailed(CompletedPipeline completed)
    : std::runtime_error(failure(completed)),
      completed_(std::make_shared<const CompletedPipeline>(std::move(completed))) {}

// The last child's communicate() does the work: it is lent the first one's input and the common pipe for errors.
CompletedPipeline run_pipeline(std::vector<Command> commands, CommandOptions options) {
  if (commands.empty()) throw std::invalid_argument("a pipeline of no commands");
  const Expiry expiry = Expiry::of(options.timeout);
  const BytesView input = options.input ? BytesView(*options.input) : BytesView();
  const PopenOptions common = detail::popen_options(options);
  UniqueFd errors_read;
  UniqueFd errors_write;
  if (common.stderr_.is(Pipe::open)) std::tie(errors_read, errors_write) = make_pipe();

  std::vector<Popen> children;
  children.reserve(commands.size());
  for (const Command& command : commands) {
    PopenOptions own = common;
    const bool is_last = children.size() + 1 == commands.size();
    if (!children.empty()) own.stdin_ = Pipe::to(children.back().output());
    if (!is_last) own.stdout_ = Pipe::open;
    if (errors_write) own.stderr_ = Pipe::to(errors_write.get());
    children.emplace_back(command, std::move(own));
  }
  errors_write.reset();
  Popen& last = children.back();
  if (errors_read) last.state_->err.emplace(std::move(errors_read), Direction::read, "standard error of a pipeline");
  if (children.size() > 1 && children.front().state_->in) {
    last.state_->in.emplace(children.front().state_->in->detach(), Direction::write, "standard input of a pipeline");
  }

  CompletedPipeline completed{.commands = std::move(commands), .return_codes = {}, .out = {}, .err = {}};
  try {
    auto [out, err] = last.communicate(input, expiry.left(), options.output_limit);
    completed.out = std::move(out);
    completed.err = std::move(err);
    for (Popen& child : children) {
      if (child.state_->wait(expiry)) continue;
      throw CommandTimedOut(child.command().argv.front() + ": timed out",
                            {std::move(completed.out), std::move(completed.err)});
    }
  } catch (const CommandTimedOut& timed_out) {
    for (Popen& child : children) child.signal_group(SIGKILL);
    Output rest = last.kill_and_drain();
    if (rest.out.empty() && rest.err.empty()) rest = timed_out.output();
    throw CommandTimedOut(timed_out.what(), std::move(rest));
  }
  for (Popen& child : children) completed.return_codes.push_back(*child.poll());
  completed.truncated = last.output_truncated();
  if (options.check && !completed.ok()) throw PipelineFailed(std::move(completed));
  return completed;
}

}  // namespace hawser
