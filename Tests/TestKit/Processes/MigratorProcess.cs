using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace Platform.Tests.TestKit.Processes;

/// <summary>The migrator's program, run as a person runs it.</summary>
internal static class MigratorProcess
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    // Its own output: beside the tests it would lack the assemblies that they have from a shared framework.
    private static string Program { get; } = Path.GetFullPath(
        Path.Combine(AppContext.BaseDirectory, "..", "..", "Migrator", new DirectoryInfo(AppContext.BaseDirectory).Name, "Platform.Migrator"));

    /// <summary>Runs it to its end.</summary>
    /// <param name="connectionString">The database; null for none.</param>
    /// <param name="arguments">The command line, words separated by spaces.</param>
    /// <param name="directory">Where; null for here.</param>
    /// <param name="databaseTimeout">How long it waits for the database; null for a minute, which a busy machine may need.</param>
    public static async Task<Answer> RunAsync(string? connectionString, string arguments, string? directory = null, TimeSpan? databaseTimeout = null)
    {
        var start = new ProcessStartInfo(
            Program, arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory ?? AppContext.BaseDirectory,
        };
        start.Environment["ConnectionStrings__platform"] = connectionString;
        start.Environment["Migrator__DatabaseTimeout"] = (databaseTimeout ?? TimeSpan.FromMinutes(1)).ToString();
        using var process = Process.Start(start) ?? throw new InvalidOperationException("The migrator did not start.");
        var token = TestContext.Current.CancellationToken;
        var output = process.StandardOutput.ReadToEndAsync(token);
        var errors = process.StandardError.ReadToEndAsync(token);
        try
        {
            await process.WaitForExitAsync(token).WaitAsync(s_patience, token);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }

        return new Answer(process.ExitCode, await output, await errors);
    }

    /// <summary>How it ended and what it said.</summary>
    internal sealed record Answer(int ExitCode, string Output, string Errors)
    {
        /// <summary>The JSON on standard output.</summary>
        public JsonElement Json => JsonDocument.Parse(Output).RootElement;

        /// <summary>Checks the exit code.</summary>
        public Answer Expect(int exitCode)
        {
            Assert.True(ExitCode == exitCode, $"The exit code is {ExitCode}, not {exitCode}:{Environment.NewLine}{Output}{Errors}");
            return this;
        }
    }
}
