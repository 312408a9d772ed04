using System.Diagnostics;
using Xunit;

namespace Platform.Tests.TestKit.Processes;

/// <summary>The seeder as a person starts it: a program with arguments and an environment.</summary>
internal static class SeederProgram
{
    // In its own output: the copy beside the tests lacks what these have from the shared framework of ASP.NET Core.
    private static readonly string Program = Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "..", "..", "Seeder", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "Platform.Seeder"));

    /// <summary>The one line of standard error that is not about a database that takes its time on a busy machine.</summary>
    public static string Sentence(string errors) =>
        Assert.Single(errors.Trim().Split('\n'), line => !line.Contains("Platform.Mongo.Connections.DatabaseStartup", StringComparison.Ordinal));

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(
        string? connectionString, string? environment, string[] arguments, CancellationToken cancellationToken, params (string Key, string Value)[] settings)
    {
        using var process = Start(connectionString, environment, arguments, settings);
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    /// <summary>Starts it.</summary>
    public static Process Start(string? connectionString, string? environment, string[] arguments, params (string Key, string Value)[] settings)
    {
        var start = new ProcessStartInfo(Program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            Environment =
            {
                ["Seeder__DatabaseTimeout"] = "00:01:00",
                ["DOTNET_ENVIRONMENT"] = environment,
                ["ASPNETCORE_ENVIRONMENT"] = null,
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = null,
                ["PLATFORM_TEST_STACK"] = null, // it belongs to none of the stacks that this process may have started
            },
        };
        if (connectionString is not null)
        {
            start.Environment["ConnectionStrings__platform"] = connectionString;
        }

        foreach (var (key, value) in settings)
        {
            start.Environment[key] = value;
        }

        return Process.Start(start) ?? throw new InvalidOperationException("The seeder did not start.");
    }
}
