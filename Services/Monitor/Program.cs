using Platform.Jobs;
using Platform.Monitor.Hosting;

return await JobCommandLine.RunAsync(MonitorCommands.Create(), args, TimeSpan.FromSeconds(15));
