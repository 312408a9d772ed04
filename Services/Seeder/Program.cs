using Platform.Jobs;
using Platform.Seeder;

return await JobCommandLine.RunAsync(SeederCommands.Create(), args);
