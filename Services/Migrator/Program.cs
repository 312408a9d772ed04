using Platform.Jobs;
using Platform.Migrator;
using Platform.ServiceDefaults;

return await JobCommandLine.RunAsync(MigratorCommands.Create(), args);
