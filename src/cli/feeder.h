// Feeder: brings the user's data to a model's inputs, batch by batch, reading only what it feeds.
#ifndef INTMILL_CLI_FEEDER_H
#define INTMILL_CLI_FEEDER_H

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <intmill/intmill.hpp>

#include "cli/dataset.h"
#include "cli/preprocess.h"

namespace intmill::cli {

// What the options about data say, unchecked.
struct DataOptions {
  std::vector<std::string> data;  // NAME=PATH, or PATH where there is no choice
  std::string scale;
  std::string mean;
  std::string deviation;
  std::string layout;
  int64_t size = 0;
  int64_t samples = 0;  // 0: all
  int64_t batch = 0;    // 0: as suits
};

// "3/16": the third of sixteen parts.
struct Shard {
  int64_t index = 1;
  int64_t count = 1;
};
Shard ParseShard(const std::string& text);

class Feeder {
 public:
  // model_name opens the messages about the model's inputs.
  Feeder(const Model& model, const std::string& model_name, const DataOptions& options);

  int64_t available() const { return available_; }                        // samples there are
  int64_t count() const { return static_cast<int64_t>(chosen_.size()); }  // samples it will feed
  // Fills in the model's inputs for the next batch; false at the end.
  bool Next(std::vector<Tensor>& inputs);
  // Which samples the batch of the last Next holds.
  const std::vector<int64_t>& batch() const { return batch_; }
  void Rewind() { next_ = 0; }
  // Feeds only every count-th batch from now on, the index-th first: the batches of all shards
  // together are those of one run, which a model can tell from others. A shard may be empty.
  void TakeShard(const Shard& shard);

  // u8 samples became floats as they were, 0 to 255: perhaps not what the user meant.
  bool has_raw_bytes() const { return has_raw_bytes_; }
  // The keys and values that describe the data and its preprocessing, for a model's metadata.
  const std::vector<std::pair<std::string, std::string>>& description() const {
    return description_;
  }

 private:
  struct Source {
    DatasetPtr data;
    std::unique_ptr<Converter> converter;
    bool is_whole = false;  // a sample is the whole input, not one row of it
  };

  Source MakeSource(const Port& port, DatasetPtr data, Layout layout) const;
  void AddSource(const Port& port, DatasetPtr data, Layout layout);
  void ChooseBatch(const std::vector<Port>& ports, const DataOptions& options);
  Tensor ReadBatch(const Source& source) const;

  std::string model_name_;
  Normalization normalization_;
  std::vector<Source> sources_;
  int64_t available_ = 0;
  std::vector<int64_t> chosen_;
  int64_t batch_size_ = 1;
  int64_t next_ = 0;
  std::vector<int64_t> batch_;
  bool has_raw_bytes_ = false;
  std::vector<std::pair<std::string, std::string>> description_;
};

// `wanted` of `count` indices, evenly spaced from 0; all when wanted is 0 or more than there are.
std::vector<int64_t> EvenlySpaced(int64_t count, int64_t wanted);

// One class for each sample, from .npy, .npz or IDX.
std::vector<int64_t> ReadLabels(const std::string& path, int64_t samples);
// Those of some samples, as a probe takes them.
Tensor LabelsOf(const std::vector<int64_t>& labels, const std::vector<int64_t>& samples);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_FEEDER_H
