"""Questions that no look at the pixels answers, in the words of somebody who had seen neither the
rest of the grammar nor any question that models are measured with.

Written as in `phrases`: `[a|b|c]` picks one alternative.
"""

from __future__ import annotations

from pixelis.data.worlds.words import EVERYDAY

BEYOND = tuple(
    line.replace("{ANY}", f"[{'|'.join(EVERYDAY)}]")
    for line in """
Who [really owns|used to own|is going to inherit|last paid for] the {ANY}[|, if anyone|, do you think]?
Whose {ANY} [did they borrow|got lost|was stolen|was broken] [last year|last month|back then]?
What's the [real name|nickname|middle name|birthday|star sign] of whoever [took this|was holding the camera|was standing behind the camera|sent this in]?
Why did [they|somebody|the owner|the family] [buy|choose|keep|want|pick] the {ANY}[| in the first place| instead of another one]?
Why did [they|somebody|the owner] [give away|hide|sell|lend out|get tired of] the {ANY} [a week later|in the end|after all that time]?
How much did [they|the owner|somebody|she|your friend] [pay|spend|haggle|end up paying] for the {ANY} [back then|all in all|after tax|second hand]?
[How heavy is|How heavy was|what would you say was the weight of] the {ANY} [to the gram|on a proper scale|to the nearest ounce]?
How [loud|noisy|quiet] was it [in there|around there|around the {ANY}] [when this was taken|that day|a minute before|after they left]?
What did [it|the place|the {ANY}|the air] smell like [right then|that day|after the rain|up close|the next morning]?
[what song|which song|what tune|which radio station] was playing [when this was taken|in the background|next door|while they were there]?
What [was said|did somebody whisper|did they talk about|did they joke about|were they arguing about] [just before this was taken|right after this|that evening|behind the camera]?
[What happened to|What did they do with|Who took care of] the {ANY} [afterwards|the week after|a year later|in the end|once everyone had gone home]?
What will [happen to|become of|they do with] the {ANY} [next year|tomorrow|in ten years|when they move away]?
Will the {ANY} [still be there|get stolen|be sold|break|be thrown away] [next week|next summer|by the end of the year|by Christmas]?
Was the {ANY} [a gift|a present|a loan|an heirloom] [from an uncle|from a friend|from someone they know|or did they pay for it themselves]?
[Is|Was] the person [behind the camera|who took this|who sent this in] [married|rich|a vegetarian|left-handed|an only child|religious]?
[Do|Did] the people who [live here|own this place|set this up|took this] [get along|vote|have pets at home|sleep well|have any debts]?
Could you tell me [who|which person|which relative|what sort of person] [gave them|sold them|lent them|promised them] the {ANY}?
Do you know [when|in what year|what month|how long ago] the {ANY} was [first bought|last repaired|last cleaned|first used|given away]?
[any idea|any clue|do u know|can u tell] [why they never|why nobody ever|why she didn't|why he didn't] [sold|fixed|replaced|moved] the {ANY}?
Which [bank|insurer|lawyer|doctor|dentist|gym] does [the owner|the photographer|the family|the person who took this] [use|go to|trust|complain about]?
What is the [home address|phone number|email|password|bank balance|blood type] of the [photographer|previous owner|owner's sister|person who took this]?
What's [directly behind the camera|just outside the frame|a metre to the left of what we see|around the corner out of view|beyond the right edge of the shot][|, roughly][|, would you say]?
Is [there anybody|there someone|there a dog|there a {ANY}] [behind the camera|just out of frame|hidden round the back|outside the shot] [too|as well|right now]?
What [is written|is hidden|is stuck|is scratched] [on the side we can't see|on the back, out of sight|underneath, where the camera can't see|on the inside, where nobody can look]?
How old was [the owner|whoever took this|the photographer|the buyer] when [they first got the {ANY}|they left school|they learned to drive|this was taken]?
How [long|many years|many months] [did it take to save up for|have they wanted|had they been looking for|will they hang on to] the {ANY}?
Who [designed|built|invented|put together|came up with] the {ANY} [originally|first|back in the day], and [were they ever paid|did they enjoy it|was it their own idea]?
Which of [the neighbours|their children|the cousins|her friends|the staff] [likes the {ANY} best|broke the {ANY}|asked for the {ANY}|cleaned the {ANY} last]?
What kind of [childhood|upbringing|education|marriage|job history] did the [photographer|owner|person who took this|person who set this up] have?
[Is|Was] the {ANY} worth [the money|the trouble|the wait|what they paid] [or not|in your opinion|in the long run|according to the owner]?
What does [the owner|his wife|her boss|the whole family|the photographer] [really think of|secretly feel about|say about|remember about] the {ANY}?
Did [anyone|somebody|the owner|a neighbour] [complain|cry|laugh|get fined|get hurt] because of the {ANY} [later|last year|that week]?
Has the {ANY} ever been [stolen|repaired|lent out|insured|abroad|to another town] [before|since|by the last owner|in its whole life]?
Had [they|the people there|the family|the photographer] already [eaten|had breakfast|argued|slept|been home] [before this was taken|by that point|when this was snapped]?
Where [did they go|did they drive|did they eat|did everybody end up|did they sleep] [after this was taken|later that day|the night before|the following weekend]?
Where was the {ANY} [the day before|ten years ago|before they got it|the winter before this|a week after this was taken][?|, I keep wondering]
[From which shop|From which website|From which market|From whom] did [they|she|the owner|that family] [get|order|buy] the {ANY}?
[Would|Could] the owner [accept an offer for|part with|lend me|swap|sell me] the {ANY} [if I asked nicely|for the right price|next month]?
[tell me|please tell me|explain] [why the owner is so fond of|how they could afford|what they plan to do with|who else wanted] the {ANY}
How did the [photographer|person behind the camera|owner|one who took this] feel [that morning|inside|the day after|when they got home|about being there]?
What was [the photographer|whoever took this|the person with the camera] [thinking about|worried about|hoping for|trying to prove|listening to] [at that moment|at the time]?
When [is the owner's birthday|did the owner get married|did the owner move to this country|will the owner retire|did the owner last see a doctor], [roughly|do you know|if you had to say]?
How many people [in the country|in the world|in this town|on average] [own|want|throw away|lose|buy] the same {ANY} [every year|each month], in real life, not in this picture?
What percentage of [people|households|teenagers|pensioners] [would like|have already bought|regret buying|could afford] the {ANY}[| these days], going by real statistics and not the picture?
Is the {ANY} [the oldest|the most loved|the luckiest|the longest-lasting] one [they ever had|in the whole country|in the world|anybody ever owned]?
Did the {ANY} [cost more|sell better|last longer|cause more trouble] than [the one before it|the one their neighbour has|the one they had as kids]?
[How long|How many more years] will the {ANY} [last|hold out|stay in the family|be kept] [from now on|before they get rid of it|if they look after it]?
What [caused|led to|was behind|started] the [quarrel|break-up|phone call|decision|delay] [right before this was taken|the day before|that the owner never talks about]?
[Are|Were] [the photographer and the owner|the owner and the person who took this|the seller and the buyer] [related|in love|old friends|colleagues|still on speaking terms]?
Who [else was in the room|was waiting outside|walked past a minute later|was supposed to be there but didn't come|had just left] when this was [taken|shot|made]?
Who [asked for|paid for|approved|first looked at|deleted the other version of] this [picture|image|shot], and why?
How many [tries|attempts|other shots|earlier versions] [did they need|were thrown away|came out badly] before [this one|they were happy|they gave up]?
[Did|does] [the person who took this|the photographer|the owner] [smoke|drink coffee|speak Dutch|like jazz|believe in ghosts|snore]?
What [did the {ANY} feel like|does the {ANY} feel like] [to the touch|in the dark|when you press hard on it|at the back, where we can't see]?
[So|ok|and|hm] [is that|was that] [my cousin's|Peter's|my teacher's|our landlord's|Mrs Novak's] {ANY} or someone else's?
Was the [photographer|one who took this|person behind the camera] [in a hurry|nervous|drunk|on holiday|late for work|homesick] [that day|or not|at the time]?
If [I called the owner|somebody rang the bell|I asked the photographer], what would they [say|tell me|answer|admit] about [the {ANY}|their past|the money|the neighbours]?
What was the [temperature|humidity|air pressure|wind speed] [to the exact degree or digit|measured to the decimal] [an hour before this was taken|the following night|the day after]?
Which [party|football team|religion|newspaper|charity] does [the owner|the photographer|whoever took this|the person who arranged this] [support|care about|make fun of]?
[Is|Was] it [true|a lie|just a rumour] that the {ANY} [used to belong to somebody famous|was won in a bet|was paid for in cash|came with a curse]?
[Should|Can] [we|I] trust the [owner|photographer|seller|person who sent this] [with money|to keep a promise|to tell the truth|with a secret]?
Which [brand|make|company|maker] did the {ANY} [they had before|they threw out last year|they left at home|they wanted instead] come from?
How much does the [owner|photographer|person who took this|person who arranged this] [earn a month|owe the bank|weigh|spend on rent|give to charity]?
Did the [owner|photographer|buyer|family] [regret it|change their mind|ever come back|find what they were after|tell anyone] [later|afterwards|in the end]?
who was the first [person|one] to ever [touch|own|drop|photograph|complain about] [this {ANY}|that {ANY}|the {ANY}][| do you think]
What's the [story|history|secret|reason|plan] behind the {ANY}[, I mean how did it get there|, and who knows about it|, did anyone ever tell you|, if there is one]?
[Where is|What became of] the [friend|brother|boss|old teacher|ex] of [the person who took this|whoever owns the {ANY}|the photographer] [now|today|these days]?
Do they [plan|intend|hope|really want] to [sell|keep|give away|repair|replace] the {ANY} [soon|next spring|one day|when the kids are older]?
[How did it taste|how was the taste|What did it taste like], [the last thing|the lunch|the drink|the soup] [they had before this was taken|the photographer had that day|the owner made the night before]?
""".strip().splitlines()
)
