using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Xunit;

namespace Platform.Tests.TestKit.Processes;

/// <summary>How a program ended and what it said.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Errors">Its standard error.</param>
internal sealed record ProgramResult(int ExitCode, string Output, string Errors)
{
    // Longer than any benchmark's peer takes.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(10);

    /// <summary>The JSON on standard output.</summary>
    [JsonIgnore]
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    /// <summary>The one line of standard error that is not about a database that takes its time on a busy machine.</summary>
    [JsonIgnore]
    public string Sentence =>
        Assert.Single(Errors.Trim().Split('\n'), line => !line.Contains("Platform.Mongo.Connections.DatabaseStartup", StringComparison.Ordinal));

    /// <summary>Runs a program to its end.</summary>
    /// <param name="start">The program.</param>
    /// <param name="cancellationToken">Kills it.</param>
    /// <param name="patience">How long it may take; ten minutes when not given.</param>
    /// <exception cref="TimeoutException">It did not end in time, and was killed. The message has what it said until then.</exception>
    public static async Task<ProgramResult> OfAsync(ProcessStartInfo start, CancellationToken cancellationToken, TimeSpan? patience = null)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start.");
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            late.CancelAfter(patience ?? s_patience);
            try
            {
                await process.WaitForExitAsync(late.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                process.Kill(entireProcessTree: true);
                throw new TimeoutException(
                    $"{start.FileName} {start.ArgumentList.FirstOrDefault()} did not end in time:{Environment.NewLine}{await output}{await errors}");
            }

            return new ProgramResult(process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    /// <summary>Checks the exit code.</summary>
    public ProgramResult Expect(int exitCode)
    {
        Assert.True(ExitCode == exitCode, $"The exit code is {ExitCode}, not {exitCode}:{Environment.NewLine}{Output}{Errors}");
        return this;
    }
}
