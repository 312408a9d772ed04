using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Platform.ServiceDefaults;

/// <summary>The <c>Main</c> of a service: a program that runs until it is stopped.</summary>
public static class ServiceProgram
{
    /// <summary>Runs it to its end. What a person can mend is told in one sentence on standard error; other exceptions are passed on.</summary>
    /// <param name="name">The service's name, for its sentence.</param>
    /// <param name="run">Builds the service and runs it until it is stopped.</param>
    /// <param name="exitCodeOf">The exit code for an exception whose message is a sentence for a person; null for others.</param>
    /// <returns>
    /// 0; <see cref="ExitCodes.Configuration"/> when a setting is wrong; <see cref="ExitCodes.Failure"/> when a port is taken; what
    /// <paramref name="exitCodeOf"/> says.
    /// </returns>
    public static async Task<int> RunAsync(string name, Func<Task> run, Func<Exception, int?>? exitCodeOf = null)
    {
        ArgumentNullException.ThrowIfNull(run);
        try
        {
            await run();
            return ExitCodes.Success;
        }
        catch (Exception exception) when (ExitCodeOf(exception) is not null || exitCodeOf?.Invoke(exception) is not null)
        {
            var sentence = exception is OptionsValidationException settings ? settings.Sentence() : exception.Message.ReplaceLineEndings(" ");
            await Console.Error.WriteLineAsync($"{name}: {sentence}");
            return ExitCodeOf(exception) ?? exitCodeOf!(exception)!.Value;
        }
    }

    private static int? ExitCodeOf(Exception exception) => exception switch
    {
        OptionsValidationException => ExitCodes.Configuration,
        IOException { InnerException: AddressInUseException } => ExitCodes.Failure,
        _ => null,
    };
}
