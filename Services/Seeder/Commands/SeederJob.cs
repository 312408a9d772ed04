using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Platform.Jobs;
using Platform.Mongo.Leases;
using Platform.Seeder.Storage;

namespace Platform.Seeder.Commands;

/// <summary>Runs one use case in a host of its own.</summary>
internal static class SeederJob
{
    public const string Name = "seeder";

    /// <summary>The host and the console of a use case: the console belongs to the progress and the result, the log goes where telemetry goes.</summary>
    /// <param name="json">Whether the result is JSON.</param>
    public static DatabaseJob Create(bool json) => new(Name)
    {
        IsQuiet = true,
        IsJson = json,
        Configure = Configure,
        DatabaseTimeout = services => services.GetRequiredService<IOptions<SeederOptions>>().Value.DatabaseTimeout,
    };

    /// <summary>Runs a use case that has no report, but tells what it does.</summary>
    public static Task<int> RunAsync<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TUseCase>(
        Func<TUseCase, CancellationToken, Task> run, CancellationToken cancellationToken)
        where TUseCase : class =>
        Create(json: false).RunAsync<TUseCase>(
            async (useCase, token) =>
            {
                await run(useCase, token);
                return ExitCodes.Success;
            },
            cancellationToken);

    private static void Configure(HostApplicationBuilder builder)
    {
        // A job is a few callers: connections kept ready would only cost log-ins.
        builder.AddPlatformData(mongo => mongo.MinPoolSize = 0);

        builder.AddFieldEncryption();
        builder.Services.AddOptions<SeederOptions>()
            .BindSettings(SeederOptions.Section)
            .ValidateLimits(SeederOptions.Section)
            .Validate(
                options => options.Until is null || SeedDay.Mistake(options.Until) is null,
                $"{SeederOptions.Section}:{nameof(SeederOptions.Until)} must be a day such as 2026-01-01.");
        builder.Services.AddSingleton<ILeaseStore, MongoLeaseStore>();
        builder.Services.AddSingleton<SeedEncryption>();
        builder.Services.AddSingleton<SeedGuard>();
        builder.Services.AddSingleton<SeedStore>();
    }
}
