namespace Aspire.Hosting.Eventing;

/// <summary>How the handlers of an event are run.</summary>
public enum EventDispatchBehavior
{
    /// <summary>One after the other; the publisher waits.</summary>
    BlockingSequential = 0,

    /// <summary>All at once; the publisher waits.</summary>
    BlockingConcurrent = 1,

    /// <summary>One after the other; the publisher does not wait.</summary>
    NonBlockingSequential = 2,

    /// <summary>All at once; the publisher does not wait.</summary>
    NonBlockingConcurrent = 3,
}
