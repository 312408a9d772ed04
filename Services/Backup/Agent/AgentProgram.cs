using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Platform.Backup.Policy;
using Platform.ServiceDefaults;

namespace Platform.Backup.Agent;

/// <summary>The agent as a program that runs until it is stopped.</summary>
internal static class AgentProgram
{
    /// <summary>Runs it.</summary>
    /// <param name="add">Registers what it works with.</param>
    public static Task<int> RunAsync(Action<IHostApplicationBuilder> add) => ServiceProgram.RunAsync(ResourceNames.Backup, async () =>
    {
        var builder = WebApplication.CreateBuilder();
        builder.AddServiceDefaults();
        add(builder);
        builder.Services.AddSingleton<AgentState>();
        builder.Services.AddSingleton<BackupMetrics>();
        builder.Services.AddHostedService<BackupAgent>();
        if (builder.Configuration[$"{S3Options.Section}:{nameof(S3Options.Bucket)}"] is { Length: > 0 })
        {
            builder.Services.AddHostedService<CopyAgent>();
        }

        builder.Services.AddHealthChecks().AddCheck<BackupHealthCheck>(BackupHealthCheck.Name, HealthStatus.Unhealthy);
        // A backup that is under way is ended in good order.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(25));

        var app = builder.Build();
        app.CheckSettings();
        app.UseHttpDefaults();
        app.MapDefaultEndpoints();
        app.Services.GetRequiredService<BackupMetrics>();
        await app.RunAsync();
    });
}
