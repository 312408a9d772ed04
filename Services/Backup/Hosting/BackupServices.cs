using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Platform.Backup.Copies;
using Platform.Backup.Drills;
using Platform.Backup.Engines;
using Platform.Backup.PgBackRest;
using Platform.Backup.Policy;
using Platform.Backup.Restoring;
using Platform.Backup.Work;

namespace Platform.Backup.Hosting;

/// <summary>What the agent and the commands are made of.</summary>
internal static class BackupServices
{
    /// <summary>Registers it; opens nothing.</summary>
    public static void AddBackups(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<BackupOptions>().BindSettings(BackupOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<BackupOptions>, BackupOptionsValidation>();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<PgBackRestTool>();
        builder.Services.AddSingleton<Servers>();
        builder.Services.TryAddSingleton<IBackupEngine, PgBackRestEngine>();
        builder.Services.AddSingleton<EngineOf>(services => settings =>
        {
            var options = Options.Create(settings);
            return new PgBackRestEngine(
                new PgBackRestTool(options), new Servers(options), options, services.GetRequiredService<TimeProvider>());
        });
        builder.Services.TryAddSingleton<ICopyStore, S3Store>();
        builder.Services.AddSingleton<CopyWork>();
        builder.Services.AddSingleton<CopyLook>();
        builder.Services.AddSingleton<CopyVerifier>();
        builder.Services.AddSingleton<CopyFetch>();
        builder.Services.AddSingleton<RemoteRestore>();
        builder.Services.AddSingleton<BackupWork>();
        builder.Services.AddSingleton<BackupStanding>();
        builder.Services.AddSingleton<RestoreWork>();
        builder.Services.AddSingleton<Drill>();
        builder.Services.TryAddSingleton<IDrill>(services => services.GetRequiredService<Drill>());
    }
}
