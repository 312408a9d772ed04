namespace Aspire.Hosting;

/// <summary>A parameter has no value.</summary>
#pragma warning disable CA1032 // the official constructors
public class MissingParameterValueException : DistributedApplicationException
#pragma warning restore CA1032
{
    /// <summary>Creates the exception.</summary>
    public MissingParameterValueException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    public MissingParameterValueException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
