using Platform.CacheTool;
using Platform.Jobs;

return await JobCommandLine.RunAsync(CacheCommands.Create(), args);
