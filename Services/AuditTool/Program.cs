using Platform.AuditTool;
using Platform.Jobs;

return await JobCommandLine.RunAsync(AuditCommands.Create(), args);
