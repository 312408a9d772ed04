using System.Reflection;
using System.Text.Json;

namespace Platform.Tests.TestKit.Processes;

/// <summary>
/// A process that runs the entry points of programs, one command line after another: each line of standard input is a
/// <see cref="ProgramCall"/>, each line of standard output the <see cref="ProgramResult"/>.
/// </summary>
/// <remarks>
/// What a program sees of its process is as if it had been started for the command line: arguments, environment and console. An exception
/// that it does not catch ends the process, as it would end the program's own.
/// </remarks>
internal static class ProgramLoop
{
    /// <summary>The argument that makes the program of this project this process.</summary>
    public const string Argument = "programs";

    /// <summary>Serves until standard input ends.</summary>
    public static async Task<int> RunAsync()
    {
        var (calls, results) = (Console.In, Console.Out);
        while (await calls.ReadLineAsync() is { } line)
        {
            await results.WriteLineAsync(JsonSerializer.Serialize(Run(JsonSerializer.Deserialize<ProgramCall>(line)!)));
            await results.FlushAsync();
        }

        return 0;
    }

    private static ProgramResult Run(ProgramCall call)
    {
        var before = call.Environment.Keys.ToDictionary(name => name, Environment.GetEnvironmentVariable);
        var (console, errorConsole) = (Console.Out, Console.Error);
        using StringWriter output = new(), errors = new();
        Console.SetOut(output);
        Console.SetError(errors);
        Set(call.Environment);
        try
        {
            var main = Assembly.Load(call.Assembly).EntryPoint ?? throw new InvalidOperationException($"{call.Assembly} is no program.");
            var exitCode = main.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [call.Arguments], null);
            return new ProgramResult((int)exitCode!, output.ToString(), errors.ToString());
        }
        finally
        {
            Set(before);
            Console.SetOut(console);
            Console.SetError(errorConsole);
        }
    }

    private static void Set(Dictionary<string, string?> environment)
    {
        foreach (var (name, value) in environment)
        {
            Environment.SetEnvironmentVariable(name, value);
        }
    }
}

/// <summary>A command line to be run.</summary>
/// <param name="Assembly">The program's assembly.</param>
/// <param name="Arguments">The words of the command line.</param>
/// <param name="Environment">Environment variables that are to be otherwise than those of the process; null for none of that name.</param>
internal sealed record ProgramCall(string Assembly, string[] Arguments, Dictionary<string, string?> Environment);
