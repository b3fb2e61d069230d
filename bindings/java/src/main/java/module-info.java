/** Quantizes, checks and runs neural networks on CPUs, through the shared library intmill. */
module io.github.intmill {
  exports io.github.intmill;
}
