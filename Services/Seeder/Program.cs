using Platform.Jobs;
using Platform.Seeder;
using Platform.ServiceDefaults;

return await JobCommandLine.RunAsync(SeederCommands.Create(), args);
