namespace Platform.AppHost;

internal static class UserErrors
{
    /// <summary>
    /// Makes what a user can mend (a wrong setting, a taken port, a missing runtime) one sentence on standard error and
    /// exit code 1. Anything else stays a crash with its stack trace.
    /// </summary>
    public static void EndInASentence()
        => AppDomain.CurrentDomain.UnhandledException += (_, unhandled) =>
        {
            if (unhandled.ExceptionObject is DistributedApplicationException error)
            {
                Console.Error.WriteLine($"AppHost: {error.Message}");
                Environment.Exit(1);
            }
        };
}
