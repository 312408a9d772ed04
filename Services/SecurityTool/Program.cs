using Platform.Jobs;
using Platform.SecurityTool;

return await JobCommandLine.RunAsync(SecurityCommands.Create(), args);
