using Platform.Jobs;
using Platform.Migrator;

return await JobCommandLine.RunAsync(MigratorCommands.Create(), args);
