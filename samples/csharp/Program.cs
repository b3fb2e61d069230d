using Intmill.Samples;

return Sample.Run(args);
