namespace Platform;

/// <summary>What the exit codes of the platform's jobs and commands mean.</summary>
/// <remarks>Those from 64 up are the ones of <c>sysexits.h</c>.</remarks>
public static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Success = 0;

    /// <summary>Something went wrong.</summary>
    public const int Failure = 1;

    /// <summary>Refused: a person has to look first.</summary>
    public const int Refused = 2;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 64;

    /// <summary>The database cannot be reached.</summary>
    public const int Unavailable = 69;

    /// <summary>A file cannot be written.</summary>
    public const int CannotCreate = 73;

    /// <summary>Another process is at work; try again later.</summary>
    public const int Busy = 75;

    /// <summary>A setting is wrong.</summary>
    public const int Configuration = 78;

    /// <summary>Ended by Ctrl-C or SIGTERM before it was done.</summary>
    public const int Cancelled = 130;
}
