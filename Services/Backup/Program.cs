using Platform.Backup.Commands;
using Platform.Jobs;

// A copy is removed, and a backup that is under way ended in good order, before the program ends.
return await JobCommandLine.RunAsync(BackupCommands.Create(), args, TimeSpan.FromSeconds(30));
